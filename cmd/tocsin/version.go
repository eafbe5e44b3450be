package main

import "runtime/debug"

type versionCmd struct{}

func (versionCmd) Help() string {
	return `Example:
  tocsin version`
}

func (versionCmd) Run(c *console) error { return c.print("tocsin %s", version()) }

// version is what the build says of itself.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}
