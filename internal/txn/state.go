package txn

// State is where a transactional id stands, with Kafka's numbers.
type State int8

// The states. A transaction is open in Ongoing, decided in Prepare*, and over
// in Complete*.
const (
	Empty State = iota
	Ongoing
	PrepareCommit
	PrepareAbort
	CompleteCommit
	CompleteAbort
	Dead              // on its way to be forgotten; never stored
	PrepareEpochFence // about to be aborted for another producer; never stored
)

var stateNames = [...]string{
	"Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort", "Dead", "PrepareEpochFence",
}

// String is Kafka's name of the state.
func (s State) String() string {
	if s < 0 || int(s) >= len(stateNames) {
		return "Unknown"
	}
	return stateNames[s]
}

// StateNamed finds a state by Kafka's name, with its case.
func StateNamed(name string) (State, bool) {
	for i, n := range stateNames {
		if n == name {
			return State(i), true
		}
	}
	return 0, false
}

// decided tells that the outcome stands and the markers are being written.
func (s State) decided() bool { return s == PrepareCommit || s == PrepareAbort }

// over tells that no transaction is open or being ended.
func (s State) over() bool { return s == Empty || s == CompleteCommit || s == CompleteAbort }
