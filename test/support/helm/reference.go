// The chart's templates by Go's text/template and sprig, as Helm runs them: what test/support/helm does in TypeScript is
// compared with this where Go is installed. In: {"directory", "root"} as JSON; out: the rendered files, by name, as JSON.
package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"github.com/ghodss/yaml"
)

type input struct {
	Directory string
	Root      map[string]interface{}
}

type files struct{ directory string }

// Get as Helm has it: empty for a file that is not there.
func (of files) Get(name string) string {
	text, err := os.ReadFile(filepath.Join(of.directory, name))
	if err != nil {
		return ""
	}
	return string(text)
}

func main() {
	var in input
	check(json.NewDecoder(os.Stdin).Decode(&in))
	all := template.New("chart").Option("missingkey=zero")
	functions := sprig.TxtFuncMap()
	functions["include"] = func(name string, data interface{}) (string, error) {
		var out strings.Builder
		err := all.ExecuteTemplate(&out, name, data)
		return out.String(), err
	}
	functions["required"] = func(reason string, value interface{}) (interface{}, error) {
		if value == nil || value == "" {
			return nil, errors.New(reason)
		}
		return value, nil
	}
	functions["toYaml"] = func(value interface{}) (string, error) {
		text, err := yaml.Marshal(value)
		return strings.TrimSuffix(string(text), "\n"), err
	}
	functions["fromYaml"] = func(text string) (map[string]interface{}, error) {
		value := map[string]interface{}{}
		err := yaml.Unmarshal([]byte(text), &value)
		return value, err
	}
	all.Funcs(functions)
	in.Root["Files"] = files{in.Directory}
	var names []string
	folder := filepath.Join(in.Directory, "templates")
	check(filepath.Walk(folder, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(folder, path)
		names = append(names, name)
		_, err = all.New(name).Parse(string(text))
		return err
	}))
	rendered := map[string]string{}
	for _, name := range names {
		if strings.HasPrefix(filepath.Base(name), "_") {
			continue
		}
		var out strings.Builder
		check(all.ExecuteTemplate(&out, name, in.Root))
		rendered[name] = strings.ReplaceAll(out.String(), "<no value>", "")
	}
	check(json.NewEncoder(os.Stdout).Encode(rendered))
}

func check(err error) {
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}
