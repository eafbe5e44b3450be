package main

type doctorCmd struct{}

func (doctorCmd) Run() error { return nil }

type demoResolverCmd struct{}

func (demoResolverCmd) Run() error { return nil }
