package own

import "github.com/twmb/franz-go/pkg/kmsg"

// QueueFirstsRequest asks which records of a share-partition of a queue repeat
// others within the window of deduplication.
type QueueFirstsRequest struct {
	message
	QueuePart
	Records []QueueWritten
}

// QueueWritten is a record that was written: see lead.Written.
type QueueWritten struct {
	Offset, AtMs int64
	ID           [16]byte
}

// QueueFirstsResponse has what each repeats, itself where that is none.
type QueueFirstsResponse struct {
	message
	ErrorCode    int16
	ErrorMessage string
	Firsts       []QueueFirst
}

// QueueFirst is a record that is repeated: see lead.First.
type QueueFirst struct {
	Offset int64
	Name   string
}

// The fewest bytes of an element, which bound the counts.
const (
	minQueueWritten = 8 + 8 + 16 + 1
	minQueueFirst   = 8 + 1 + 1
)

// Key is the request's key.
func (*QueueFirstsRequest) Key() int16 { return KeyQueueFirsts }

// ResponseKind makes an empty answer.
func (r *QueueFirstsRequest) ResponseKind() kmsg.Response {
	return &QueueFirstsResponse{message: r.message}
}

// AppendTo encodes the request.
func (r *QueueFirstsRequest) AppendTo(dst []byte) []byte {
	w := writer(dst).part(&r.QueuePart).length(len(r.Records))
	for i := range r.Records {
		x := &r.Records[i]
		w = w.int64(x.Offset).int64(x.AtMs).uuid(x.ID).noTags()
	}
	return w.noTags()
}

// ReadFrom decodes the request.
func (r *QueueFirstsRequest) ReadFrom(src []byte) error {
	return read(src, func(in *reader) {
		r.QueuePart = in.part()
		r.Records = list(in, minQueueWritten, func(in *reader) QueueWritten {
			return QueueWritten{Offset: in.Int64(), AtMs: in.Int64(), ID: in.UUID()}
		})
	})
}

// Key is the request's key.
func (*QueueFirstsResponse) Key() int16 { return KeyQueueFirsts }

// RequestKind makes an empty request.
func (r *QueueFirstsResponse) RequestKind() kmsg.Request {
	return &QueueFirstsRequest{message: r.message}
}

// AppendTo encodes the answer.
func (r *QueueFirstsResponse) AppendTo(dst []byte) []byte {
	w := writer(dst).int16(r.ErrorCode).string(r.ErrorMessage).length(len(r.Firsts))
	for i := range r.Firsts {
		w = w.int64(r.Firsts[i].Offset).string(r.Firsts[i].Name).noTags()
	}
	return w.noTags()
}

// ReadFrom decodes the answer.
func (r *QueueFirstsResponse) ReadFrom(src []byte) error {
	return read(src, func(in *reader) {
		r.ErrorCode, r.ErrorMessage = in.Int16(), in.string()
		r.Firsts = list(in, minQueueFirst, func(in *reader) QueueFirst {
			return QueueFirst{Offset: in.Int64(), Name: in.string()}
		})
	})
}
