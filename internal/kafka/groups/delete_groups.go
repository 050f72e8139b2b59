package groups

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/group"
	"ottla/internal/kafka/api"
)

// DeleteGroups (42), versions 0-3; v3 brings messages (KIP-1331).
func (f *Family) deleteGroupsRow() api.API { return late(0, 3, f.deleteGroups) }

func (f *Family) deleteGroups(_ *api.Conn, req *kmsg.DeleteGroupsRequest, finish finish) {
	var ids []string
	for _, id := range req.Groups {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	gather(len(ids), func(i int, done func(any, error)) {
		f.ask(ids[i], group.Delete{Group: ids[i]}, done)
	}, func(all []said) {
		finish(func() kmsg.Response {
			resp := req.ResponseKind().(*kmsg.DeleteGroupsResponse)
			for i, id := range ids {
				row := kmsg.NewDeleteGroupsResponseGroup()
				row.Group, row.ErrorCode = id, codeOf(all[i].err)
				if row.ErrorCode != 0 {
					row.ErrorMessage = wordsOf(all[i].err)
				}
				resp.Groups = append(resp.Groups, row)
			}
			return resp
		})
	})
}
