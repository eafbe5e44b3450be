package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// nodeID is by what the node of a folder is known to the others on its store. It
// stays with the folder, since what it stands for is what is in the folder.
func nodeID(dir string) (string, error) {
	path := filepath.Join(dir, "node")
	b, err := os.ReadFile(path)
	if err == nil && len(bytes.TrimSpace(b)) > 0 {
		return string(bytes.TrimSpace(b)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	id := rand.Text()
	return id, os.WriteFile(path, []byte(id+"\n"), 0o600)
}

// mindImports marks imports whose node has gone.
func (x *exchange) mindImports(ctx context.Context) error {
	t := time.NewTicker(time.Minute)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			if err := x.Desk.Interrupted(ctx); err != nil && x.DB.Ready(ctx) == nil && ctx.Err() == nil {
				x.log.Error("mark imports", "err", err)
			}
		}
	}
}
