package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// manCmd prints the manual page, which is the help of all commands.
type manCmd struct{}

func (manCmd) Help() string {
	return `Example:
  tocsin man`
}

func (manCmd) Run(ctx context.Context, c *console) error {
	parser, err := newParser(ctx, c)
	if err != nil {
		return err
	}
	return c.print("%s", manual(parser.Model))
}

// manual is man page in the language of man(7).
func manual(app *kong.Application) string {
	m := &page{}
	m.line(`.TH TOCSIN 1 "" "Tocsin" "User Commands"`)
	m.section("NAME")
	m.text(`tocsin \- open exchange for malicious domains and other indicators`)
	m.section("SYNOPSIS")
	m.line(".B tocsin")
	m.text(`\fICOMMAND\fR [\fIOPTION\fR]...`)
	m.section("DESCRIPTION")
	m.help(app.Help)
	m.section("COMMANDS")
	for _, n := range app.Leaves(true) {
		m.command(n)
	}
	m.section("EXIT STATUS")
	m.text("0 if it went well, 1 if it did not, 2 if the command line was wrong.")
	m.section("FILES")
	m.term("/etc/tocsin/tocsin.conf", "Settings of the service; tocsin config explains them.")
	m.term("/var/lib/tocsin", "The exchange: its database, and what follows from it.")
	return strings.TrimSuffix(m.String(), "\n")
}

type page struct{ strings.Builder }

func (p *page) line(text string)       { p.WriteString(text + "\n") }
func (p *page) section(name string)    { p.line(".SH " + name) }
func (p *page) term(term, text string) { p.line(".TP\n.B " + roff(term)); p.text(roff(text)) }

// text is a paragraph that is man's language already.
func (p *page) text(text string) { p.line(text) }

// help is a text as the command line shows it: what is indented stays as it is.
func (p *page) help(text string) {
	example := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if indented := strings.HasPrefix(line, "  "); indented != example {
			example = indented
			p.line(map[bool]string{true: ".PP\n.nf", false: ".fi"}[example])
		}
		if line == "" && !example {
			line = ".PP"
		} else {
			line = roff(line)
		}
		p.line(line)
	}
	if example {
		p.line(".fi")
	}
}

func (p *page) command(n *kong.Node) {
	p.line(".SS " + roff(strings.TrimSpace(n.Summary())))
	p.help(n.Help)
	p.line(".PP")
	for _, a := range n.Positional {
		p.term(strings.ToUpper(a.Name), a.Help)
	}
	for _, group := range n.AllFlags(true) {
		for _, f := range group {
			if f.Name == "help" {
				continue
			}
			name := "--" + f.Name
			if !f.IsBool() {
				name += "=" + f.FormatPlaceHolder()
			}
			text := f.Help
			if len(f.Envs) > 0 {
				text += fmt.Sprintf(" (%s)", strings.Join(f.Envs, ", "))
			}
			p.term(name, text)
		}
	}
	p.line(".PP")
	p.help(n.Detail)
}

// roff is a text in which nothing means anything to man.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
