package vfs

import "golang.org/x/sys/windows"

func usage(name string) (Usage, error) {
	p, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return Usage{}, err
	}
	var free, total, all uint64
	if err := windows.GetDiskFreeSpaceEx(p, &free, &total, &all); err != nil {
		return Usage{}, err
	}
	return Usage{Total: int64(total), Free: int64(free)}, nil
}
