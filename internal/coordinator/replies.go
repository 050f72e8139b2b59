package coordinator

// reply is an answer that leaves once everything below end is committed, or a
// piece of work that begins then.
type reply struct {
	end  int64
	call *call // nil for work
	body any
	err  error
	work *Work
}

// replies are in the order they were decided, and their ends never fall: so
// the first is always the first that may leave. It is emptied from the front
// in place. The zero value is empty.
type replies struct {
	list []reply
	head int
}

func (q *replies) len() int { return len(q.list) - q.head }

func (q *replies) push(r reply) {
	if len(q.list) == cap(q.list) && q.head > len(q.list)/2 {
		n := copy(q.list, q.list[q.head:])
		clear(q.list[n:])
		q.list, q.head = q.list[:n], 0
	}
	q.list = append(q.list, r)
}

// ready takes the first off if everything it has seen is committed.
func (q *replies) ready(committed int64) (reply, bool) {
	if q.len() == 0 || q.list[q.head].end > committed {
		return reply{}, false
	}
	return q.pop()
}

// callers takes out the replies to callers, in their order; work stays.
func (q *replies) callers() (calls []*call) {
	var rest []reply
	for _, r := range q.list[q.head:] {
		if r.call == nil {
			rest = append(rest, r)
		} else {
			calls = append(calls, r.call)
		}
	}
	q.list, q.head = rest, 0
	return calls
}

// keptReplies is how many places an empty queue keeps for the next burst.
const keptReplies = 256

func (q *replies) pop() (reply, bool) {
	if q.len() == 0 {
		return reply{}, false
	}
	r := q.list[q.head]
	q.list[q.head] = reply{}
	q.head++
	if q.len() == 0 {
		q.list, q.head = q.list[:0], 0
		if cap(q.list) > keptReplies {
			q.list = nil
		}
	}
	return r, true
}
