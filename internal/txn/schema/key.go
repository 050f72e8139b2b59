package schema

import "fmt"

// transactionLog is the one type of record, as the int16 that its key begins
// with.
const transactionLog int16 = 0

// maxText bounds a transactional id: its length is an int16 in the key.
const maxText = 1<<15 - 1

// Fits tells whether a transactional id can be stored at all.
func Fits(id string) bool { return len(id) <= maxText }

// ParseKey reads a key and gives its transactional id; known is false for a
// record of another type, which a later release may write.
func ParseKey(b []byte) (id string, known bool, err error) {
	r := read(b)
	kind := r.Int16()
	if r.Err == nil && kind != transactionLog {
		return "", false, nil
	}
	id = r.Text(false)
	if r.Err != nil {
		return "", false, fmt.Errorf("transaction record key of %d bytes: %w", len(b), r.Err)
	}
	return id, true, nil
}

// AppendKey writes the key of a transactional id, which Fits.
func AppendKey(b []byte, id string) []byte {
	return appendText(appendInt16(b, transactionLog), id, false)
}
