package kafkatools

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/cli/kafkatools/words"
	"ottla/internal/wire"
)

func apiVersionsTool() *tool {
	return &tool{
		name: "kafka-broker-api-versions", about: "Show which APIs and versions each broker serves.",
		options: bootstrapOptions(true), run: brokerAPIVersions,
	}
}

func brokerAPIVersions(ctx context.Context, c *call) error {
	a, client, err := c.admin(ctx, "admin-1")
	if err != nil {
		return err
	}
	defer client.Close()
	brokers, err := a.ListBrokers(ctx)
	if err != nil {
		return words.Of(err, "")
	}
	for _, b := range brokers {
		rack := "null"
		if b.Rack != nil {
			rack = *b.Rack
		}
		head := fmt.Sprintf("%s (id: %d rack: %s isFenced: false) -> ", net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port))), b.NodeID, rack)
		req := kmsg.NewPtrApiVersionsRequest()
		req.ClientSoftwareName, req.ClientSoftwareVersion = "ottla", release
		resp, err := client.Broker(int(b.NodeID)).RetriableRequest(ctx, req)
		if err != nil {
			c.printf("%sERROR: %v\n", head, words.Plain(err, ""))
			continue
		}
		c.printf("%s(\n", head)
		for i, line := range apiLines(resp.(*kmsg.ApiVersionsResponse).ApiKeys) {
			if i > 0 {
				c.printf(",\n")
			}
			c.printf("\t%s", line)
		}
		c.printf("\n)\n")
	}
	return nil
}

// apiLines words what a broker serves beside what this release of the protocol
// knows of brokers.
func apiLines(served []kmsg.ApiVersionsResponseApiKey) []string {
	served = slices.Clone(served)
	slices.SortFunc(served, func(a, b kmsg.ApiVersionsResponseApiKey) int { return int(a.ApiKey - b.ApiKey) })
	byKey := map[int16]kmsg.ApiVersionsResponseApiKey{}
	keys := []int16{}
	for _, k := range served {
		byKey[k.ApiKey] = k
		keys = append(keys, k.ApiKey)
	}
	for _, api := range wire.APIs() {
		if _, there := byKey[api.Key]; !there && api.Broker() && api.Max >= api.Min {
			keys = append(keys, api.Key)
		}
	}
	slices.Sort(keys)
	var out []string
	for _, key := range keys {
		k, there := byKey[key]
		api := wire.LookupAPI(key)
		switch {
		case !there:
			out = append(out, fmt.Sprintf("%s(%d): UNSUPPORTED", api.Name, key))
		case api == nil:
			out = append(out, fmt.Sprintf("UNKNOWN(%d): %s", key, versions(k.MinVersion, k.MaxVersion)))
		default:
			out = append(out, fmt.Sprintf("%s(%d): %s [%s]", api.Name, key, versions(k.MinVersion, k.MaxVersion), usable(api, k)))
		}
	}
	return out
}

func versions(low, high int16) string {
	if low == high {
		return strconv.Itoa(int(low))
	}
	return fmt.Sprintf("%d to %d", low, high)
}

func usable(api *wire.APIInfo, k kmsg.ApiVersionsResponseApiKey) string {
	if high := min(api.Max, k.MaxVersion); high >= max(api.Min, k.MinVersion) {
		return "usable: " + strconv.Itoa(int(high))
	}
	return "unusable: node too new or too old"
}
