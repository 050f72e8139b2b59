package main

import (
	"math/rand/v2"
	"time"

	"ottla/internal/record"
)

// Sizes of what is produced: the records of a batch fill about 128 KiB.
const (
	recordBytes = 1024
	batchBytes  = 128 << 10
	perBatch    = batchBytes / (recordBytes + 12)
)

// encodeBatch is a batch of random records.
func encodeBatch() []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b, now := record.NewBuilder(), time.Now().UnixMilli()
	value := make([]byte, recordBytes)
	for range perBatch {
		for i := range value {
			value[i] = byte(r.Uint32())
		}
		b.Add(now, nil, value)
	}
	return b.Build(0)
}
