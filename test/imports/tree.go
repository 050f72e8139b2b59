package main

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// eachFile calls fn with the regular files below root, in order.
func eachFile(root string, fn func(path, rel string, info fs.FileInfo) error) error {
	return filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		return fn(path, filepath.ToSlash(rel), info)
	})
}

func copyInto(w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

// treeSum is a checksum over names, times of change and content.
func treeSum(root string) (string, error) {
	h := sha256.New()
	err := eachFile(root, func(path, rel string, info fs.FileInfo) error {
		fmt.Fprintf(h, "%s %d %d\n", rel, info.Size(), info.ModTime().UnixNano())
		return copyInto(h, path)
	})
	return hex.EncodeToString(h.Sum(nil)), err
}

// archive packs a directory, without what says when or by whom.
func archive(root, to string) (err error) {
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return err
	}
	w := tar.NewWriter(z)
	err = eachFile(root, func(path, rel string, info fs.FileInfo) error {
		if err := w.WriteHeader(&tar.Header{Name: rel, Mode: 0o644, Size: info.Size(), Typeflag: tar.TypeReg}); err != nil {
			return err
		}
		return copyInto(w, path)
	})
	return errors.Join(err, w.Close(), z.Close())
}
