package groups

import (
	"context"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/group"
	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// ListGroups (16), versions 0-5: the groups that this node coordinates.
//
// v4 brings states and a filter by them (KIP-518), v5 types and a filter by
// them (KIP-848); names in filters are compared without case.
func (f *Family) listGroupsRow() api.API { return api.Row(0, 5, f.listGroups) }

func (f *Family) listGroups(ctx context.Context, _ *api.Conn, req *kmsg.ListGroupsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.ListGroupsResponse)
	ctx, cancel := context.WithTimeout(ctx, f.patience)
	defer cancel()
	for _, a := range f.d.Groups.Each(ctx, group.List{States: req.StatesFilter, Types: req.TypesFilter}) {
		groups, code := reply[[]group.Listed](said(a.Body, a.Err))
		switch {
		case code == int16(wire.NotCoordinator): // led elsewhere by now, and listed there
			continue
		case code != 0:
			resp.ErrorCode, resp.Groups = code, nil
			return resp, nil
		}
		for _, g := range groups {
			row := kmsg.NewListGroupsResponseGroup()
			row.Group, row.ProtocolType, row.GroupState, row.GroupType = g.ID, g.ProtocolType, g.State, string(g.Type)
			resp.Groups = append(resp.Groups, row)
		}
	}
	slices.SortFunc(resp.Groups, func(a, b kmsg.ListGroupsResponseGroup) int { return strings.Compare(a.Group, b.Group) })
	return resp, nil
}
