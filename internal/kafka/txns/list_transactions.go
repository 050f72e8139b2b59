package txns

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/txn"
	"ottla/internal/wire"
)

// ListTransactions (66), versions 0-2: the transactional ids that this node
// coordinates (KIP-664).
//
// v1 brings a filter by how long a transaction has been open (KIP-994), v2 one
// by a pattern of RE2 for the whole id (KIP-1152). A name of a state that is
// none is told back and matches nothing.
func (f *Family) listTransactionsRow() api.API { return api.Row(0, 2, f.listTransactions) }

func (f *Family) listTransactions(ctx context.Context, _ *api.Conn, req *kmsg.ListTransactionsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.ListTransactionsResponse)
	cmd := txn.List{ProducerIDs: req.ProducerIDFilters, DurationMs: -1}
	if req.Version >= 1 {
		cmd.DurationMs = req.DurationFilterMillis
	}
	if req.Version >= 2 && req.TransactionalIDPattern != nil && *req.TransactionalIDPattern != "" {
		pattern, err := regexp.Compile(`\A(?:` + *req.TransactionalIDPattern + `)\z`)
		if err != nil {
			resp.ErrorCode = int16(wire.InvalidRegularExpression)
			return resp, nil
		}
		cmd.Pattern = pattern
	}
	for _, name := range req.StateFilters {
		if s, ok := txn.StateNamed(name); ok {
			cmd.States = append(cmd.States, s)
		} else {
			resp.UnknownStateFilters = append(resp.UnknownStateFilters, name)
		}
	}
	if len(req.StateFilters) > 0 && len(cmd.States) == 0 {
		return resp, nil
	}
	ctx, cancel := context.WithTimeout(ctx, takeUp)
	defer cancel()
	for _, a := range f.o.Txns.Each(ctx, cmd) {
		listed, code := reply[[]txn.Listed](a.Body, a.Err, true)
		switch {
		case code == wire.NotCoordinator: // led elsewhere by now, and listed there
			continue
		case code != wire.None:
			resp.ErrorCode, resp.TransactionStates = int16(code), nil
			return resp, nil
		}
		for _, l := range listed {
			row := kmsg.NewListTransactionsResponseTransactionState()
			row.TransactionalID, row.ProducerID, row.TransactionState = l.ID, l.ProducerID, l.State.String()
			resp.TransactionStates = append(resp.TransactionStates, row)
		}
	}
	slices.SortFunc(resp.TransactionStates, func(a, b kmsg.ListTransactionsResponseTransactionState) int {
		return strings.Compare(a.TransactionalID, b.TransactionalID)
	})
	return resp, nil
}
