package share

import "strconv"

// State of a record, by Kafka's numbers.
type State int8

// From where each state is entered:
//
//	Available     free, or waiting for its time; from Acquired
//	Acquired      locked for a member, or leased; from Available
//	Acknowledged  done; from Acquired
//	Archiving     given up, its dead letter is being written; from Acquired
//	Archived      given up, or never a record for members (control records,
//	              aborted transactions, holes); from Available, Acquired, Archiving
const (
	Available    State = 0
	Acquired     State = 1
	Acknowledged State = 2
	Archiving    State = 3
	Archived     State = 4
)

var stateNames = [...]string{"Available", "Acquired", "Acknowledged", "Archiving", "Archived"}

// String is Kafka's name of the state.
func (s State) String() string {
	if s < 0 || int(s) >= len(stateNames) {
		return "State(" + strconv.Itoa(int(s)) + ")"
	}
	return stateNames[s]
}

// final tells whether nothing can happen to the record any more.
func (s State) final() bool { return s == Acknowledged || s == Archived }

// AckType is what a member says of a record, by Kafka's numbers.
type AckType int8

// Gap is for an offset that had no record; Renew begins the lock anew
// (KIP-1222). Return is ours, and said by receipts alone: see Word.Holder.
const (
	Gap     AckType = 0
	Accept  AckType = 1
	Release AckType = 2
	Reject  AckType = 3
	Renew   AckType = 4
	Return  AckType = 5
)
