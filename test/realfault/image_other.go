//go:build !linux

package realfault

import "context"

// Image is a disk of its own, which only Linux can give here.
type Image struct{ Dir string }

// NewImage always fails with *Impossible.
func NewImage(ctx context.Context, dir string, mib int) (*Image, error) {
	return nil, &Impossible{"it needs Linux"}
}

// Mount does nothing: there never is an Image.
func (m *Image) Mount(ctx context.Context) error { return nil }

// Unmount does nothing.
func (m *Image) Unmount(ctx context.Context) error { return nil }

// Cut always fails with *Impossible.
func (m *Image) Cut() error { return &Impossible{"it needs Linux"} }

// StandStill always fails with *Impossible.
func StandStill(ctx context.Context, pid int) error { return &Impossible{"it needs Linux"} }
