package own

import "github.com/twmb/franz-go/pkg/kmsg"

// QueueContentsRequest asks what a share-partition of a queue has that is not
// done, from an offset on, in at most so many runs.
type QueueContentsRequest struct {
	message
	QueuePart
	From int64
	Most int32
}

// QueueContentsResponse is the answer: see lead.Contents.
type QueueContentsResponse struct {
	message
	ErrorCode           int16
	ErrorMessage        string
	Runs                []QueueRun
	Bound, High         int64
	Locked, Most, NowMs int64
}

// QueueRun is one of its runs: see share.Undone.
type QueueRun struct {
	First, Last  int64
	Count        int16
	State        int8
	AtMs, Behind int64
	Member       string
	Holder       uint64
}

// QueueHoldRequest leases the records at offsets, those of them that are free.
type QueueHoldRequest struct {
	message
	QueuePart
	Offsets []QueueOffset
	LockMs  int64
	Holder  uint64 // see share.Want
}

// QueueOffset is an offset of a QueueHoldRequest.
type QueueOffset struct{ Offset int64 }

// QueueHoldResponse tells which are held.
type QueueHoldResponse struct {
	message
	ErrorCode    int16
	ErrorMessage string
	StateEpoch   int32
	Ranges       []QueueRange
}

// The fewest bytes of an element, which bound the counts.
const (
	minQueueRun    = 8 + 8 + 2 + 1 + 8 + 8 + 1 + 8 + 1
	minQueueOffset = 8 + 1
)

// Key is the request's key.
func (*QueueContentsRequest) Key() int16 { return KeyQueueContents }

// ResponseKind makes an empty answer.
func (r *QueueContentsRequest) ResponseKind() kmsg.Response {
	return &QueueContentsResponse{message: r.message}
}

// AppendTo encodes the request.
func (r *QueueContentsRequest) AppendTo(dst []byte) []byte {
	return writer(dst).part(&r.QueuePart).int64(r.From).int32(r.Most).noTags()
}

// ReadFrom decodes the request.
func (r *QueueContentsRequest) ReadFrom(src []byte) error {
	return read(src, func(in *reader) { r.QueuePart, r.From, r.Most = in.part(), in.Int64(), in.Int32() })
}

// Key is the request's key.
func (*QueueContentsResponse) Key() int16 { return KeyQueueContents }

// RequestKind makes an empty request.
func (r *QueueContentsResponse) RequestKind() kmsg.Request {
	return &QueueContentsRequest{message: r.message}
}

// AppendTo encodes the answer.
func (r *QueueContentsResponse) AppendTo(dst []byte) []byte {
	w := writer(dst).int16(r.ErrorCode).string(r.ErrorMessage).length(len(r.Runs))
	for i := range r.Runs {
		x := &r.Runs[i]
		w = w.int64(x.First).int64(x.Last).int16(x.Count).int8(x.State).int64(x.AtMs).int64(x.Behind).string(x.Member).int64(int64(x.Holder)).noTags()
	}
	return w.int64(r.Bound).int64(r.High).int64(r.Locked).int64(r.Most).int64(r.NowMs).noTags()
}

// ReadFrom decodes the answer.
func (r *QueueContentsResponse) ReadFrom(src []byte) error {
	return read(src, func(in *reader) {
		r.ErrorCode, r.ErrorMessage = in.Int16(), in.string()
		r.Runs = list(in, minQueueRun, func(in *reader) QueueRun {
			return QueueRun{
				First: in.Int64(), Last: in.Int64(), Count: in.Int16(), State: in.Int8(), AtMs: in.Int64(), Behind: in.Int64(),
				Member: in.string(), Holder: uint64(in.Int64()),
			}
		})
		r.Bound, r.High, r.Locked, r.Most, r.NowMs = in.Int64(), in.Int64(), in.Int64(), in.Int64(), in.Int64()
	})
}

// Key is the request's key.
func (*QueueHoldRequest) Key() int16 { return KeyQueueHold }

// ResponseKind makes an empty answer.
func (r *QueueHoldRequest) ResponseKind() kmsg.Response {
	return &QueueHoldResponse{message: r.message}
}

// AppendTo encodes the request.
func (r *QueueHoldRequest) AppendTo(dst []byte) []byte {
	w := writer(dst).part(&r.QueuePart).length(len(r.Offsets))
	for _, x := range r.Offsets {
		w = w.int64(x.Offset).noTags()
	}
	return w.int64(r.LockMs).int64(int64(r.Holder)).noTags()
}

// ReadFrom decodes the request.
func (r *QueueHoldRequest) ReadFrom(src []byte) error {
	return read(src, func(in *reader) {
		r.QueuePart = in.part()
		r.Offsets = list(in, minQueueOffset, func(in *reader) QueueOffset { return QueueOffset{in.Int64()} })
		r.LockMs, r.Holder = in.Int64(), uint64(in.Int64())
	})
}

// Key is the request's key.
func (*QueueHoldResponse) Key() int16 { return KeyQueueHold }

// RequestKind makes an empty request.
func (r *QueueHoldResponse) RequestKind() kmsg.Request { return &QueueHoldRequest{message: r.message} }

// AppendTo encodes the answer.
func (r *QueueHoldResponse) AppendTo(dst []byte) []byte {
	w := writer(dst).int16(r.ErrorCode).string(r.ErrorMessage).int32(r.StateEpoch).length(len(r.Ranges))
	for _, x := range r.Ranges {
		w = w.int64(x.First).int64(x.Last).int16(x.Count).noTags()
	}
	return w.noTags()
}

// ReadFrom decodes the answer.
func (r *QueueHoldResponse) ReadFrom(src []byte) error {
	return read(src, func(in *reader) {
		r.ErrorCode, r.ErrorMessage, r.StateEpoch = in.Int16(), in.string(), in.Int32()
		r.Ranges = list(in, minQueueRange, func(in *reader) QueueRange {
			return QueueRange{First: in.Int64(), Last: in.Int64(), Count: in.Int16()}
		})
	})
}
