package plan

import (
	"crypto/sha256"
	"encoding/base32"
	"strconv"
)

var idText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func deliveryID(e *Event, t *Target) string {
	sum := sha256.Sum256([]byte(t.Key + "\x00" + e.Topic + "\x00" + strconv.Itoa(int(e.Partition)) + "\x00" + strconv.FormatInt(e.Offset, 10) + "\x00" + e.ReplayID))
	return "msg_" + idText.EncodeToString(sum[:15])
}
