package groups

import (
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/group"
	"ottla/internal/kafka/api"
)

// DeleteGroups (42), versions 0-3; v3 brings messages (KIP-1331).
func (f *Family) deleteGroupsRow() api.API { return api.Late(0, 3, f.deleteGroups) }

func (f *Family) deleteGroups(c *api.Conn, req *kmsg.DeleteGroupsRequest, finish api.Finish) {
	var ids []string
	for _, id := range req.Groups {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	refused := make([]error, len(ids))
	c.Wait(func(ctx context.Context) { f.purge(ctx, ids, refused) })
	api.Gather(len(ids), func(i int, done func(any, error)) {
		if refused[i] != nil {
			done(nil, refused[i])
			return
		}
		f.ask(ids[i], group.Delete{Group: ids[i]}, done)
	}, func(all []api.Said) {
		finish(func() kmsg.Response {
			resp := req.ResponseKind().(*kmsg.DeleteGroupsResponse)
			for i, id := range ids {
				row := kmsg.NewDeleteGroupsResponseGroup()
				row.Group, row.ErrorCode = id, codeOf(all[i].Err)
				if row.ErrorCode != 0 {
					row.ErrorMessage = wordsOf(all[i].Err)
				}
				resp.Groups = append(resp.Groups, row)
			}
			return resp
		})
	})
}

// purge deletes what share groups have elsewhere, and notes why not.
func (f *Family) purge(ctx context.Context, ids []string, refused []error) {
	if f.d.Purge == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, f.patience)
	defer cancel()
	for i, id := range ids {
		refused[i] = f.d.Purge(ctx, id)
	}
}
