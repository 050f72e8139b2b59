package reach

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kadm"
)

// Partly tells of an error of a question to all nodes that some of them have
// answered: what they said stands.
func Partly(err error) bool {
	var shards *kadm.ShardErrors
	return errors.As(err, &shards) && !shards.AllFailed
}
