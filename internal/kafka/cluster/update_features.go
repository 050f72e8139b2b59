package cluster

import (
	"context"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/controller"
	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// UpdateFeatures (57), versions 0 to 2 (KIP-584).
//
//	v1  kinds of change: 1 upgrade, 2 safe, 3 unsafe downgrade; validate only (KIP-778)
//	v2  one error for all instead of one for each (KIP-1022)
//
// All changes are made, or none. What v0 says of downgrades is not heeded, as
// in Kafka: each of its changes is an upgrade.
func (h *handlers) updateFeatures() api.API {
	return api.Row(0, 2, h.serveUpdateFeatures,
		"metadata.version runs at the level of 4.4 alone: no other is written, so none is offered.")
}

// upgradeFeature is the kind of change that every one of v0 is.
const upgradeFeature = 1

func (h *handlers) serveUpdateFeatures(ctx context.Context, _ *api.Conn, req *kmsg.UpdateFeaturesRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.UpdateFeaturesResponse)
	cmd := controller.UpdateFeatures{
		Updates:      make(map[string]controller.FeatureUpdate, len(req.FeatureUpdates)),
		ValidateOnly: req.Version >= 1 && req.ValidateOnly,
	}
	var names []string
	for _, u := range req.FeatureUpdates {
		kind := u.UpgradeType
		if req.Version < 1 {
			kind = upgradeFeature
		}
		if _, twice := cmd.Updates[u.Feature]; !twice {
			names = append(names, u.Feature)
		}
		cmd.Updates[u.Feature] = controller.FeatureUpdate{Level: u.MaxVersionLevel, UpgradeType: kind}
	}
	results, err := api.Do[map[string]controller.Result](ctx, h.d.Cluster, timeoutOf(req.TimeoutMillis), cmd)
	if err == nil {
		err = firstRefused(names, results)
	}
	if err != nil {
		resp.ErrorCode, resp.ErrorMessage = int16(wire.CodeOf(err)), kmsg.StringPtr(wire.MessageOf(err))
		return resp, nil
	}
	if req.Version <= 1 {
		for _, name := range names {
			r := kmsg.NewUpdateFeaturesResponseResult()
			r.Feature, r.ErrorMessage = name, kmsg.StringPtr("NONE") // Kafka's text beside 0
			resp.Results = append(resp.Results, r)
		}
	}
	return resp, nil
}

// firstRefused is why nothing was changed, in Kafka's words.
func firstRefused(names []string, results map[string]controller.Result) error {
	at := slices.IndexFunc(names, func(name string) bool {
		return results[name].Code != wire.None && results[name].Code != wire.FeatureUpdateFailed
	})
	if at < 0 {
		return nil
	}
	r := results[names[at]]
	return wire.Errorf(r.Code, "The update failed for all features since the following feature had an error: %s", r.Message)
}

// leastTimeout is what a change is given even where the client asks for less.
const leastTimeout = time.Second

func timeoutOf(millis int32) time.Duration {
	return max(time.Duration(millis)*time.Millisecond, leastTimeout)
}
