package record

import "encoding/binary"

// Types of control records, as in the second int16 of their keys.
const (
	ControlAbort          = 0
	ControlCommit         = 1
	ControlLeaderChange   = 2 // KIP-595
	ControlSnapshotHeader = 3 // KIP-630
	ControlSnapshotFooter = 4
	ControlKRaftVersion   = 5 // KIP-853
	ControlKRaftVoters    = 6
)

// ControlKey is the key of a control record of the given type (key version 0).
func ControlKey(controlType int16) []byte {
	return binary.BigEndian.AppendUint16(make([]byte, 2, 4), uint16(controlType))
}

// EndTxnMarker builds the control batch that ends a transaction on a partition
// (KIP-98): one record, transactional and control bits set, no sequence, base
// offset 0.
func EndTxnMarker(producerID int64, epoch int16, commit bool, coordinatorEpoch int32, timestampMs int64) []byte {
	controlType := int16(ControlAbort)
	if commit {
		controlType = ControlCommit
	}
	value := binary.BigEndian.AppendUint32(make([]byte, 2, 6), uint32(coordinatorEpoch))
	b := NewBuilder()
	b.ProducerID, b.ProducerEpoch = producerID, epoch
	b.Transactional, b.Control = true, true
	b.Add(timestampMs, ControlKey(controlType), value)
	return b.Build(0)
}

// ParseEndTxnMarker reads a batch that EndTxnMarker or Kafka made. It fails
// with an *Error of KindInvalid on any other control batch and of KindCorrupt
// on damage. Value versions above 0 may add fields at the end.
func ParseEndTxnMarker(b []byte) (commit bool, coordinatorEpoch int32, err error) {
	controlType, value, err := controlRecord(b)
	if err != nil {
		return false, 0, err
	}
	if controlType != ControlAbort && controlType != ControlCommit {
		return false, 0, invalid("control record of type %d does not end a transaction", controlType)
	}
	if len(value) < 6 || int16(binary.BigEndian.Uint16(value)) < 0 {
		return false, 0, invalid("transaction marker has a malformed value of %d bytes", len(value))
	}
	return controlType == ControlCommit, int32(binary.BigEndian.Uint32(value[2:])), nil
}

// ControlType tells the type of the first record of a control batch. Types
// that this release does not know are answered as they are: a reader skips
// them.
func ControlType(b []byte) (int16, error) {
	controlType, _, err := controlRecord(b)
	return controlType, err
}

// controlRecord finds the first record of a control batch; value is a view.
// Control batches are never compressed.
func controlRecord(b []byte) (controlType int16, value []byte, err error) {
	h, err := ParseHeader(b)
	if err != nil {
		return 0, nil, err
	}
	if h.Size() > len(b) {
		return 0, nil, corrupt("control batch at offset %d is cut short: %d of %d bytes", h.BaseOffset, len(b), h.Size())
	}
	if !h.Control() || h.Codec() != None || h.Count < 1 {
		return 0, nil, invalid("batch at offset %d is not a control batch", h.BaseOffset)
	}
	var l layout
	if f := l.parse(b[:h.Size()], HeaderSize); f != sound {
		return 0, nil, invalid("control record at offset %d %s", h.BaseOffset, f)
	}
	key := part(b, l.keyAt, l.keyLen)
	if len(key) < 4 || int16(binary.BigEndian.Uint16(key)) < 0 {
		return 0, nil, invalid("control record at offset %d has a malformed key of %d bytes", h.BaseOffset, len(key))
	}
	return int16(binary.BigEndian.Uint16(key[2:])), part(b, l.valueAt, l.valLen), nil
}
