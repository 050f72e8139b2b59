package own

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/uuid"
)

// QueuePart names a share-partition of a queue.
type QueuePart struct {
	Group     string
	Topic     uuid.UUID
	Partition int32
}

// QueueTakeRequest takes messages by receipts from the node that leads their
// partition.
type QueueTakeRequest struct {
	message
	QueuePart
	MaxRecords, MaxBytes int32
	LockMs               int64
	Holder               uint64 // see share.Want
}

// QueueTakeResponse has what was taken: whole batches, and which of their
// offsets.
type QueueTakeResponse struct {
	message
	ErrorCode    int16
	ErrorMessage string
	StateEpoch   int32
	Ranges       []QueueRange
	Batches      []byte
}

// QueueRange are offsets that were delivered equally often.
type QueueRange struct {
	First, Last int64
	Count       int16
}

// QueueRedeemRequest says what shall be done with messages, by their receipts.
type QueueRedeemRequest struct {
	message
	QueuePart
	Words []QueueWord
}

// QueueWord is one message of a QueueRedeemRequest: see share.Word.
type QueueWord struct {
	StateEpoch int32
	Offset     int64
	Count      int16
	Type       int8
	ForMs      int64 // or the holder, of one that returns a record
	Late       bool
}

// QueueRedeemResponse has a result for each word.
type QueueRedeemResponse struct {
	message
	Results []QueueResult
}

// QueueResult is what became of a word.
type QueueResult struct {
	ErrorCode    int16
	ErrorMessage string
}

// QueueAskRequest asks about a share-partition of a queue, or has it begin
// anew.
type QueueAskRequest struct {
	message
	QueuePart
	What   int8  // AskSurvey, AskWait, AskReset, AskForget
	WaitMs int64 // AskWait
}

// What a QueueAskRequest asks.
const (
	AskSurvey = 0 // where does it stand?
	AskWait   = 1 // answer when there may be something to take
	AskReset  = 2 // begin at the end, with nothing of what was
	AskForget = 3 // begin where a group without a state begins, with nothing of what was
)

// QueueAskResponse is the answer; the counts are AskSurvey's.
type QueueAskResponse struct {
	message
	ErrorCode                         int16
	ErrorMessage                      string
	StateEpoch                        int32
	Waiting, InFlight, Delayed, Dying int64
	OldestMs                          int64
}

// The fewest bytes of an element, which bound the counts.
const (
	minQueueRange  = 8 + 8 + 2 + 1
	minQueueWord   = 4 + 8 + 2 + 1 + 8 + 1 + 1
	minQueueResult = 2 + 1 + 1
)

func (w writer) part(p *QueuePart) writer { return w.string(p.Group).uuid(p.Topic).int32(p.Partition) }

func (r *reader) part() QueuePart {
	return QueuePart{Group: r.string(), Topic: r.UUID(), Partition: r.Int32()}
}

// Key is the request's key.
func (*QueueTakeRequest) Key() int16 { return KeyQueueTake }

// ResponseKind makes an empty answer.
func (r *QueueTakeRequest) ResponseKind() kmsg.Response {
	return &QueueTakeResponse{message: r.message}
}

// AppendTo encodes the request.
func (r *QueueTakeRequest) AppendTo(dst []byte) []byte {
	return writer(dst).part(&r.QueuePart).int32(r.MaxRecords).int32(r.MaxBytes).int64(r.LockMs).int64(int64(r.Holder)).noTags()
}

// ReadFrom decodes the request.
func (r *QueueTakeRequest) ReadFrom(src []byte) error {
	return read(src, func(in *reader) {
		r.QueuePart, r.MaxRecords, r.MaxBytes, r.LockMs, r.Holder = in.part(), in.Int32(), in.Int32(), in.Int64(), uint64(in.Int64())
	})
}

// Key is the request's key.
func (*QueueTakeResponse) Key() int16 { return KeyQueueTake }

// RequestKind makes an empty request.
func (r *QueueTakeResponse) RequestKind() kmsg.Request {
	return &QueueTakeRequest{message: r.message}
}

// AppendTo encodes the answer.
func (r *QueueTakeResponse) AppendTo(dst []byte) []byte {
	w := writer(dst).int16(r.ErrorCode).string(r.ErrorMessage).int32(r.StateEpoch).length(len(r.Ranges))
	for _, x := range r.Ranges {
		w = w.int64(x.First).int64(x.Last).int16(x.Count).noTags()
	}
	return w.bytes(r.Batches).noTags()
}

// ReadFrom decodes the answer.
func (r *QueueTakeResponse) ReadFrom(src []byte) error {
	return read(src, func(in *reader) {
		r.ErrorCode, r.ErrorMessage, r.StateEpoch = in.Int16(), in.string(), in.Int32()
		r.Ranges = list(in, minQueueRange, func(in *reader) QueueRange {
			return QueueRange{First: in.Int64(), Last: in.Int64(), Count: in.Int16()}
		})
		r.Batches = in.bytes()
	})
}

// Key is the request's key.
func (*QueueRedeemRequest) Key() int16 { return KeyQueueRedeem }

// ResponseKind makes an empty answer.
func (r *QueueRedeemRequest) ResponseKind() kmsg.Response {
	return &QueueRedeemResponse{message: r.message}
}

// AppendTo encodes the request.
func (r *QueueRedeemRequest) AppendTo(dst []byte) []byte {
	w := writer(dst).part(&r.QueuePart).length(len(r.Words))
	for i := range r.Words {
		x := &r.Words[i]
		w = append(w.int32(x.StateEpoch).int64(x.Offset).int16(x.Count), byte(x.Type)).int64(x.ForMs).bool(x.Late).noTags()
	}
	return w.noTags()
}

// ReadFrom decodes the request.
func (r *QueueRedeemRequest) ReadFrom(src []byte) error {
	return read(src, func(in *reader) {
		r.QueuePart = in.part()
		r.Words = list(in, minQueueWord, func(in *reader) QueueWord {
			return QueueWord{StateEpoch: in.Int32(), Offset: in.Int64(), Count: in.Int16(), Type: in.Int8(), ForMs: in.Int64(), Late: in.bool()}
		})
	})
}

// Key is the request's key.
func (*QueueRedeemResponse) Key() int16 { return KeyQueueRedeem }

// RequestKind makes an empty request.
func (r *QueueRedeemResponse) RequestKind() kmsg.Request {
	return &QueueRedeemRequest{message: r.message}
}

// AppendTo encodes the answer.
func (r *QueueRedeemResponse) AppendTo(dst []byte) []byte {
	w := writer(dst).length(len(r.Results))
	for _, x := range r.Results {
		w = w.int16(x.ErrorCode).string(x.ErrorMessage).noTags()
	}
	return w.noTags()
}

// ReadFrom decodes the answer.
func (r *QueueRedeemResponse) ReadFrom(src []byte) error {
	return read(src, func(in *reader) {
		r.Results = list(in, minQueueResult, func(in *reader) QueueResult {
			return QueueResult{ErrorCode: in.Int16(), ErrorMessage: in.string()}
		})
	})
}

// Key is the request's key.
func (*QueueAskRequest) Key() int16 { return KeyQueueAsk }

// ResponseKind makes an empty answer.
func (r *QueueAskRequest) ResponseKind() kmsg.Response { return &QueueAskResponse{message: r.message} }

// AppendTo encodes the request.
func (r *QueueAskRequest) AppendTo(dst []byte) []byte {
	return append(writer(dst).part(&r.QueuePart), byte(r.What)).int64(r.WaitMs).noTags()
}

// ReadFrom decodes the request.
func (r *QueueAskRequest) ReadFrom(src []byte) error {
	return read(src, func(in *reader) {
		r.QueuePart, r.What, r.WaitMs = in.part(), in.Int8(), in.Int64()
	})
}

// Key is the request's key.
func (*QueueAskResponse) Key() int16 { return KeyQueueAsk }

// RequestKind makes an empty request.
func (r *QueueAskResponse) RequestKind() kmsg.Request { return &QueueAskRequest{message: r.message} }

// AppendTo encodes the answer.
func (r *QueueAskResponse) AppendTo(dst []byte) []byte {
	return writer(dst).int16(r.ErrorCode).string(r.ErrorMessage).int32(r.StateEpoch).
		int64(r.Waiting).int64(r.InFlight).int64(r.Delayed).int64(r.Dying).int64(r.OldestMs).noTags()
}

// ReadFrom decodes the answer.
func (r *QueueAskResponse) ReadFrom(src []byte) error {
	return read(src, func(in *reader) {
		r.ErrorCode, r.ErrorMessage, r.StateEpoch = in.Int16(), in.string(), in.Int32()
		r.Waiting, r.InFlight, r.Delayed, r.Dying, r.OldestMs = in.Int64(), in.Int64(), in.Int64(), in.Int64(), in.Int64()
	})
}
