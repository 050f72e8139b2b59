//go:build !linux

package mortal

import (
	"context"

	"ottla/test/realfault"
)

func openThree(context.Context, Options) (Cluster, error) {
	return nil, &realfault.Impossible{Reason: "several nodes need Linux"}
}
