package txns

import (
	"strings"
	"testing"
	"time"
)

var began = time.UnixMilli(1_700_000_000_000)

func openTxn(change func(*Transaction)) *Transaction {
	t := &Transaction{ID: "shop-1", State: "Ongoing", Producer: 7, Epoch: 3, Coordinator: 1, Timeout: time.Minute, Since: began,
		Partitions: []Partition{{Topic: "orders", Partition: 2, First: 40, Stable: 40, End: 57}}}
	if change != nil {
		change(t)
	}
	return t
}

func TestTheStoryOfATransaction(t *testing.T) {
	for name, c := range map[string]struct {
		txn  *Transaction
		at   time.Duration
		want []string
	}{
		"open and in the way":        {openTxn(nil), 20 * time.Second, []string{"producer 7, epoch 3, has had it open for 20s, in 1 partition", "orders-2 from offset 40 on (17)", "aborted when its time-out of 1m0s is over, in 40s", "ottla txn abort shop-1"}},
		"open behind another":        {openTxn(func(t *Transaction) { t.Partitions[0].Stable = 12 }), 0, []string{"it holds nobody back: older"}},
		"open and the last":          {openTxn(func(t *Transaction) { t.Partitions[0].End = 40 }), 0, []string{"nothing follows"}},
		"open and nothing written":   {openTxn(func(t *Transaction) { t.Partitions[0].First = -1 }), 0, []string{"written nothing yet"}},
		"just timed out":             {openTxn(nil), 65 * time.Second, []string{"which looks every 10s, is about to abort it"}},
		"timed out long ago":         {openTxn(nil), 5 * time.Minute, []string{"was over 4m0s ago and it is still open", "node 1"}},
		"being committed":            {openTxn(func(t *Transaction) { t.State = "PrepareCommit" }), 0, []string{"it will be committed, whatever happens", "orders-2", "ottla topic describe"}},
		"being aborted":              {openTxn(func(t *Transaction) { t.State = "PrepareAbort" }), 0, []string{"it will be aborted, whatever"}},
		"fenced":                     {openTxn(func(t *Transaction) { t.State = "PrepareEpochFence" }), 0, []string{"a new producer took its id"}},
		"idle":                       {&Transaction{State: "Empty", Producer: 9}, 0, []string{"producer 9, epoch 0, has its id and no transaction open"}},
		"committed":                  {&Transaction{State: "CompleteCommit"}, 0, []string{"the last transaction was committed"}},
		"aborted":                    {&Transaction{State: "CompleteAbort"}, 0, []string{"the last transaction was aborted"}},
		"about to be forgotten":      {&Transaction{State: "Dead"}, 0, []string{"transactional.id.expiration.ms"}},
		"two partitions, one silent": {openTxn(func(t *Transaction) { t.Partitions = append(t.Partitions, Partition{Topic: "x", First: -1}) }), 0, []string{"in 2 partitions", "orders-2 from offset 40"}},
	} {
		var all []string
		for _, n := range Verdict(c.txn, began.Add(c.at), 10*time.Second) {
			all = append(all, n.Text, n.Fix)
		}
		text := strings.Join(all, "\n")
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", name, want, text)
			}
		}
	}
}

func TestOnlyTheFirstOpenTransactionHoldsBack(t *testing.T) {
	for _, c := range []struct {
		p    Partition
		want int64
	}{
		{Partition{First: 5, Stable: 5, End: 9}, 4}, {Partition{First: 6, Stable: 5, End: 9}, 0},
		{Partition{First: -1, Stable: -1, End: 9}, 0}, {Partition{First: 5, Stable: 5, End: -1}, 0}, {Partition{First: 5, Stable: 5, End: 5}, 0},
	} {
		if got := c.p.HeldBack(); got != c.want {
			t.Errorf("%+v holds back %d, want %d", c.p, got, c.want)
		}
	}
}

func TestATransactionThatACoordinatorKnowsDoesNotHang(t *testing.T) {
	h := Hanging{Topic: "orders", Partition: 2, Producer: 7}
	for name, c := range map[string]struct {
		txn  *Transaction
		want bool
	}{
		"the same":          {openTxn(nil), true},
		"another partition": {openTxn(func(t *Transaction) { t.Partitions[0].Partition = 3 }), false},
		"another producer":  {openTxn(func(t *Transaction) { t.Producer = 8 }), false},
		"over":              {openTxn(func(t *Transaction) { t.State = "CompleteAbort" }), false},
	} {
		if got := h.isOf(c.txn); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}
