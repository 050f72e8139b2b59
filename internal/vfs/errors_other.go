//go:build !windows

package vfs

func noSpacePlatform(error) bool { return false }
