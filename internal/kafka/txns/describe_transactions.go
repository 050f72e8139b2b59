package txns

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/txn"
	"ottla/internal/wire"
)

// DescribeTransactions (65), version 0 (KIP-664): where transactional ids
// stand.
func (f *Family) describeTransactionsRow() api.API { return api.Late(0, 0, f.describeTransactions) }

func (f *Family) describeTransactions(_ *api.Conn, req *kmsg.DescribeTransactionsRequest, finish api.Finish) {
	ids := req.TransactionalIDs
	start := func(i int, done func(any, error)) { f.ask(ids[i], txn.Describe{ID: ids[i]}, done) }
	api.Gather(len(ids), start, func(said []api.Said) {
		finish(func() kmsg.Response {
			resp := req.ResponseKind().(*kmsg.DescribeTransactionsResponse)
			for i, id := range ids {
				resp.TransactionStates = append(resp.TransactionStates, described(id, said[i]))
			}
			return resp
		})
	})
}

func described(id string, s api.Said) kmsg.DescribeTransactionsResponseTransactionState {
	row := kmsg.NewDescribeTransactionsResponseTransactionState()
	row.TransactionalID = id
	d, code := reply[txn.Described](s.Body, s.Err, true)
	if code != wire.None {
		row.ErrorCode = int16(code)
		return row
	}
	row.State, row.ProducerID, row.ProducerEpoch = d.State.String(), d.ProducerID, d.Epoch
	row.TimeoutMillis, row.StartTimestamp = d.TimeoutMs, d.StartMs
	for _, tp := range d.Partitions {
		if n := len(row.Topics); n == 0 || row.Topics[n-1].Topic != tp.Topic {
			t := kmsg.NewDescribeTransactionsResponseTransactionStateTopic()
			t.Topic = tp.Topic
			row.Topics = append(row.Topics, t)
		}
		t := &row.Topics[len(row.Topics)-1]
		t.Partitions = append(t.Partitions, tp.Partition)
	}
	return row
}
