package kafka

import (
	"context"
	"maps"
	"regexp"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// ApiVersions (18), versions 0-5.
//
// v3 (KIP-511) brings the client's software name and version, KIP-584 the
// features; v4 shows supported features that begin at 0 (KAFKA-17011), which
// v3 leaves out; v5 (KIP-1242) brings the cluster and node that the client
// believes it talks to. The response header is v0 in every version, and a
// version that is not known is answered in v0, so that any client can read it.
func (d *Door) apiVersionsRow() apiRow {
	return apiRow{Key: wire.KeyApiVersions, Min: 0, Max: 5, Handle: d.apiVersions}
}

// softwareName is what KIP-511 allows for name and version of the client.
var softwareName = regexp.MustCompile(`^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$`)

// apiVersions answers with the dispatch table and the features of the image.
func (d *Door) apiVersions(_ context.Context, c *api.Conn, r kmsg.Request) (kmsg.Response, error) {
	req := r.(*kmsg.ApiVersionsRequest)
	resp := req.ResponseKind().(*kmsg.ApiVersionsResponse)
	if req.Version >= 3 {
		if !softwareName.MatchString(req.ClientSoftwareName) || !softwareName.MatchString(req.ClientSoftwareVersion) {
			resp.ErrorCode = int16(wire.InvalidRequest)
			return resp, nil
		}
		c.SoftwareName, c.SoftwareVersion = req.ClientSoftwareName, req.ClientSoftwareVersion
	}
	if code := d.expected(req); code != wire.None {
		resp.ErrorCode = int16(code)
		return resp, nil
	}
	for _, row := range d.table.rows {
		if row.Key >= wire.OwnFirst || row.Unlisted {
			continue // those between nodes need no list: they are of one release
		}
		k := kmsg.NewApiVersionsResponseApiKey()
		k.ApiKey, k.MinVersion, k.MaxVersion = row.Key, listedMin(&row.API), row.Max
		resp.ApiKeys = append(resp.ApiKeys, k)
	}
	if req.Version >= 3 {
		d.features(req.Version, resp)
	}
	return resp, nil
}

// listedMin is the minimum shown.
func listedMin(a *api.API) int16 {
	if a.Key == wire.KeyProduce {
		return a.ListedMin // 0 there, KAFKA-18659
	}
	return max(a.ListedMin, a.Min)
}

// expected compares what a v5 client believes to know with the truth.
func (d *Door) expected(req *kmsg.ApiVersionsRequest) wire.Code {
	if req.Version < 5 {
		return wire.None
	}
	hasCluster, hasNode := req.ClusterID != nil, req.NodeID >= 0
	switch {
	case hasCluster != hasNode:
		return wire.InvalidRequest
	case hasCluster && (*req.ClusterID != d.o.ClusterID || req.NodeID != d.o.NodeID):
		return wire.RebootstrapRequired
	}
	return wire.None
}

// features fills in supported and finalised features.
func (d *Door) features(version int16, resp *kmsg.ApiVersionsResponse) {
	for _, name := range slices.Sorted(maps.Keys(d.o.SupportedFeatures)) {
		span := d.o.SupportedFeatures[name]
		if version == 3 && span[0] == 0 {
			continue
		}
		f := kmsg.NewApiVersionsResponseSupportedFeature()
		f.Name, f.MinVersion, f.MaxVersion = name, span[0], span[1]
		resp.SupportedFeatures = append(resp.SupportedFeatures, f)
	}
	image := d.o.Cluster.Image()
	resp.FinalizedFeaturesEpoch = image.Offset
	levels := maps.Clone(d.o.FixedFeatures)
	if levels == nil {
		levels = map[string]int16{}
	}
	maps.Insert(levels, image.Features())
	for _, name := range slices.Sorted(maps.Keys(levels)) {
		f := kmsg.NewApiVersionsResponseFinalizedFeature()
		f.Name, f.MinVersionLevel, f.MaxVersionLevel = name, levels[name], levels[name]
		resp.FinalizedFeatures = append(resp.FinalizedFeatures, f)
	}
}

// refuseApiVersions answers a version of ApiVersions that is not known: error
// 35 in the body of v0, with the one row that tells which versions are.
func (c *conn) refuseApiVersions(h *wire.Header, size int) error {
	row := c.door.table.byKey[wire.KeyApiVersions]
	resp := kmsg.NewPtrApiVersionsResponse()
	resp.ErrorCode = int16(wire.UnsupportedVersion)
	k := kmsg.NewApiVersionsResponseApiKey()
	k.ApiKey, k.MinVersion, k.MaxVersion = row.Key, row.Min, row.Max
	resp.ApiKeys = append(resp.ApiKeys, k)
	a := &codecAnswer{head: *h, resp: resp}
	a.Ready()
	c.park(slot{answer: a, row: row, size: size, received: c.door.o.Now()})
	return nil
}
