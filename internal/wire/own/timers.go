package own

import "github.com/twmb/franz-go/pkg/kmsg"

// What a TimersRequest asks for. Numbers are never used again.
const (
	TimersSet         int8 = iota // store Items; an answer each
	TimersCancel                  // take the Items' keys away; an answer each
	TimersGet                     // the value of the one Item's key
	TimersTakeUp                  // store Items and that Line is taken up to To, from From
	TimersLine                    // how far Line is taken up
	TimersCount                   // how many timers are for the topic Line
	TimersCancelTopic             // take those away that are for the topic Line; how many
)

// TimersRequest asks the node that coordinates a partition of the timers' topic.
type TimersRequest struct {
	message
	Partition int32 // of the timers' topic
	Op        int8
	Items     []TimerItem
	Line      string // a delay line, or a topic
	From, To  int64
}

// TimerItem is a timer: its key, and in the bytes of package timer/schema all else.
type TimerItem struct {
	Key   string
	Value []byte
}

// TimersResponse answers it.
type TimersResponse struct {
	message
	ErrorCode    int16 // of all; NOT_COORDINATOR: find the leader and ask again
	ErrorMessage string
	Results      []TimerResult
	Value        []byte // of TimersGet; none when there is no such timer
	Offset       int64  // of TimersLine, and the number of the two behind it
}

// TimerResult is the answer to an Item.
type TimerResult struct {
	ErrorCode    int16
	ErrorMessage string
}

// The fewest bytes of an element, which bound the counts.
const (
	minTimerItem   = 1 + 1 + 1
	minTimerResult = 2 + 1 + 1
)

// Key is the request's key.
func (*TimersRequest) Key() int16 { return KeyTimers }

// ResponseKind makes an empty answer.
func (r *TimersRequest) ResponseKind() kmsg.Response { return &TimersResponse{message: r.message} }

// AppendTo encodes the request.
func (r *TimersRequest) AppendTo(dst []byte) []byte {
	w := writer(dst).int32(r.Partition).int8(r.Op).length(len(r.Items))
	for i := range r.Items {
		w = w.string(r.Items[i].Key).bytes(r.Items[i].Value).noTags()
	}
	return w.string(r.Line).int64(r.From).int64(r.To).noTags()
}

// ReadFrom decodes the request.
func (r *TimersRequest) ReadFrom(src []byte) error {
	return read(src, func(in *reader) {
		r.Partition, r.Op = in.Int32(), in.Int8()
		r.Items = list(in, minTimerItem, func(in *reader) TimerItem { return TimerItem{Key: in.string(), Value: in.bytes()} })
		r.Line, r.From, r.To = in.string(), in.Int64(), in.Int64()
	})
}

// Key is the request's key.
func (*TimersResponse) Key() int16 { return KeyTimers }

// RequestKind makes an empty request.
func (r *TimersResponse) RequestKind() kmsg.Request { return &TimersRequest{message: r.message} }

// AppendTo encodes the answer.
func (r *TimersResponse) AppendTo(dst []byte) []byte {
	w := writer(dst).int16(r.ErrorCode).string(r.ErrorMessage).length(len(r.Results))
	for i := range r.Results {
		w = w.int16(r.Results[i].ErrorCode).string(r.Results[i].ErrorMessage).noTags()
	}
	return w.bytes(r.Value).int64(r.Offset).noTags()
}

// ReadFrom decodes the answer.
func (r *TimersResponse) ReadFrom(src []byte) error {
	return read(src, func(in *reader) {
		r.ErrorCode, r.ErrorMessage = in.Int16(), in.string()
		r.Results = list(in, minTimerResult, func(in *reader) TimerResult {
			return TimerResult{ErrorCode: in.Int16(), ErrorMessage: in.string()}
		})
		r.Value, r.Offset = in.bytes(), in.Int64()
	})
}
