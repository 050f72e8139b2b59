package queue

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"slices"
	"sync"

	"ottla/internal/kafka/queues"
	"ottla/internal/share"
	"ottla/internal/uuid"
)

// Receipts are, before base64: a version, the topic's id, the partition, the
// epoch of the share-partition's state, the offset, the delivery, and a MAC of
// all of that and the group.
const (
	receiptVersion = 1
	bareReceipt    = 1 + 16 + 4 + 4 + 8 + 2
	macSize        = 8
	receiptSize    = bareReceipt + macSize
)

// keySize is the size of the secret that receipts are made with.
const keySize = 32

// ticket is a receipt that was read.
type ticket struct {
	topic     uuid.UUID
	partition int32
	share.Receipt
}

// write makes a receipt of a group.
func (t *ticket) write(key []byte, group string) string {
	b := make([]byte, 0, receiptSize)
	b = append(b, receiptVersion)
	b = append(b, t.topic[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(t.partition))
	b = binary.BigEndian.AppendUint32(b, uint32(t.Epoch))
	b = binary.BigEndian.AppendUint64(b, uint64(t.Offset))
	b = binary.BigEndian.AppendUint16(b, uint16(t.Count))
	sum := mac(key, group, b)
	return base64.RawURLEncoding.EncodeToString(append(b, sum[:]...))
}

// macer makes MACs with a key; to begin one anew costs less than to make it.
type macer struct {
	key []byte
	h   hash.Hash
	sum [sha256.Size]byte
}

// macers are those that nobody uses.
var macers = sync.Pool{New: func() any { return &macer{} }}

// mac is the MAC of a receipt of a group.
func mac(key []byte, group string, b []byte) [macSize]byte {
	m := macers.Get().(*macer)
	defer macers.Put(m)
	if m.h == nil || !bytes.Equal(m.key, key) {
		m.key, m.h = slices.Clone(key), hmac.New(sha256.New, key)
	}
	m.h.Reset()
	_, _ = io.WriteString(m.h, group) // a hash takes everything
	m.h.Write(b)
	return [macSize]byte(m.h.Sum(m.sum[:0])[:macSize])
}

// readReceipt reads a receipt of a group; ErrReceipt when it is none.
func readReceipt(key []byte, group, text string) (ticket, error) {
	var t ticket
	if len(text) != base64.RawURLEncoding.EncodedLen(receiptSize) {
		return t, fmt.Errorf("%w: it has %d characters", ErrReceipt, len(text))
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || b[0] != receiptVersion {
		return t, fmt.Errorf("%w: it cannot be read", ErrReceipt)
	}
	if sum := mac(key, group, b[:bareReceipt]); !hmac.Equal(b[bareReceipt:], sum[:]) {
		return t, fmt.Errorf("%w: it was not made here, or for another queue", ErrReceipt)
	}
	copy(t.topic[:], b[1:17])
	t.partition = int32(binary.BigEndian.Uint32(b[17:]))
	t.Epoch = int32(binary.BigEndian.Uint32(b[21:]))
	t.Offset = int64(binary.BigEndian.Uint64(b[25:]))
	t.Count = int16(binary.BigEndian.Uint16(b[33:]))
	return t, nil
}

// part is the share-partition that the message is in.
func (t *ticket) part(group string) queues.Part {
	return queues.Part{Group: group, Topic: t.topic, Index: t.partition}
}
