package cluster

import (
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/wire"
)

func update(name string, level int16, kind int8) kmsg.UpdateFeaturesRequestFeatureUpdate {
	u := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
	u.Feature, u.MaxVersionLevel, u.UpgradeType, u.AllowDowngrade = name, level, kind, kind > 1
	return u
}

func TestFeaturesAreUpdatedAllOrNone(t *testing.T) {
	const refused = "The update failed for all features since the following feature had an error: Invalid update version "
	n := newNode(t, nil)
	for i, c := range []struct {
		version      int16
		validate     bool
		updates      []kmsg.UpdateFeaturesRequestFeatureUpdate
		want         wire.Code
		text         string
		results      int
		groupVersion int16 // after it
	}{
		{1, true, []kmsg.UpdateFeaturesRequestFeatureUpdate{update("group.version", 1, 1)}, wire.None, "", 1, 0},
		{0, false, []kmsg.UpdateFeaturesRequestFeatureUpdate{update("group.version", 1, 1)}, wire.None, "", 1, 1},
		{1, false, []kmsg.UpdateFeaturesRequestFeatureUpdate{update("metadata.version", 33, 1), update("group.version", 0, 1)}, wire.InvalidUpdateVersion, refused + "0 for feature group.version", 0, 1},
		{2, false, []kmsg.UpdateFeaturesRequestFeatureUpdate{update("nope.version", 1, 1), update("group.version", 0, 2)}, wire.InvalidUpdateVersion, refused + "1 for feature nope.version", 0, 1},
		{0, false, []kmsg.UpdateFeaturesRequestFeatureUpdate{update("group.version", 0, 3)}, wire.InvalidUpdateVersion, refused + "0 for feature group.version. Can't downgrade", 0, 1},
		{1, false, []kmsg.UpdateFeaturesRequestFeatureUpdate{update("group.version", 0, 3)}, wire.None, "", 1, 0},
		{2, false, []kmsg.UpdateFeaturesRequestFeatureUpdate{update("group.version", 1, 1)}, wire.None, "", 0, 1},
		{2, false, []kmsg.UpdateFeaturesRequestFeatureUpdate{update("group.version", 1, 7)}, wire.InvalidUpdateVersion, refused + "1 for feature group.version. The controller does not support", 0, 1},
		{2, false, nil, wire.None, "", 0, 1},
	} {
		req := kmsg.NewPtrUpdateFeaturesRequest()
		req.FeatureUpdates, req.ValidateOnly = c.updates, c.validate
		resp := ask[*kmsg.UpdateFeaturesResponse](n, req, c.version)
		text := ""
		if resp.ErrorMessage != nil {
			text = *resp.ErrorMessage
		}
		if wire.Code(resp.ErrorCode) != c.want || !strings.HasPrefix(text, c.text) || c.text == "" && text != "" || len(resp.Results) != c.results {
			t.Errorf("case %d: code %d %q, %d results; want %v %q, %d", i, resp.ErrorCode, text, len(resp.Results), c.want, c.text, c.results)
		}
		if got := n.img.FeatureLevel("group.version"); got != c.groupVersion {
			t.Errorf("case %d: group.version is %d, want %d", i, got, c.groupVersion)
		}
	}
	n.fail = errors.New("no quorum")
	req := kmsg.NewPtrUpdateFeaturesRequest()
	req.FeatureUpdates = append(req.FeatureUpdates, update("group.version", 0, 2))
	if resp := ask[*kmsg.UpdateFeaturesResponse](n, req, 2); wire.Code(resp.ErrorCode) != wire.UnknownServerError {
		t.Errorf("without a controller: code %d", resp.ErrorCode)
	}
}
