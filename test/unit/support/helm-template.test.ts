/** The renderer for the chart: the same templates by Go, where it is installed. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ReferenceRenderer, whyNoReference } from '../../support/helm/reference.ts';
import type { ValueMap } from '../../support/helm/template-functions.ts';
import { type Node, parseTemplate } from '../../support/helm/template-parser.ts';
import { TemplateRunner } from '../../support/helm/template-runner.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../support/owned-resources.ts';

const ROOT: ValueMap = {
  Values: {
    name: 'x',
    none: null,
    off: false,
    zero: 0,
    port: 3306,
    big: 1_000_000,
    list: ['b', 'a'],
    map: { b: 1, a: 'two' },
    empty: {},
  },
  Release: { Name: 'r' },
};

const CASES: readonly (readonly [template: string, result: string])[] = [
  ['a {{ .Values.name }} b', 'a x b'],
  ['a  {{- .Values.name -}}  b', 'axb'],
  ['a\n{{- /* why */ -}}\nb', 'ab'],
  ['a\n{{/* why }} */}}\nb', 'a\n\nb'],
  ['{{ "}}" }}{{ `a"b` }}', '}}a"b'],
  ['{{ if .Values.off }}1{{ else if .Values.zero }}2{{ else if .Values.name }}3{{ else }}4{{ end }}', '3'],
  ['{{ if not .Values.empty }}1{{ end }}{{ if .Values.missing }}2{{ end }}', '1'],
  ['{{ with .Values.map }}{{ .a }}{{ $.Values.name }}{{ else }}none{{ end }}', 'twox'],
  ['{{ with .Values.empty }}some{{ else }}none{{ end }}', 'none'],
  ['{{ range .Values.list }}{{ . }},{{ end }}', 'b,a,'],
  ['{{ range $i, $v := .Values.list }}{{ $i }}{{ $v }}{{ end }}', '0b1a'],
  ['{{ range $k, $v := .Values.map }}{{ $k }}={{ $v }};{{ end }}', 'a=two;b=1;'],
  ['{{ range .Values.missing }}x{{ else }}none{{ end }}', 'none'],
  ['{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $y := 3 }}{{ $y }}{{ end }}{{ $x }}', '32'],
  ['{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ $x }}{{ end }}{{ $x }}', '21'],
  ['{{ define "t" }}<{{ . }}>{{ end }}{{ include "t" .Values.name | quote }}', '"<x>"'],
  ['{{ (dict "a" (list 1 2)).a | toJson }}', '[1,2]'],
  ['{{ printf "%s-%d" .Values.name (int .Values.port) }}', 'x-3306'],
  ['{{ int .Values.big }} {{ add 1 (int .Values.port) 2 }} {{ div 10999 1000 }}', '1000000 3309 10'],
  ['{{ .Values.port | int | quote }} {{ "x" | default "y" }} {{ "" | default "y" }}', '"3306" x y'],
  [
    '{{ kindIs "invalid" .Values.none }} {{ kindIs "invalid" .Values.missing }} {{ kindIs "map" .Values.map }}',
    'true true true',
  ],
  [
    '{{ and .Values.name .Values.zero }} {{ or .Values.zero "z" }} {{ eq .Values.name "x" }} {{ ne "a" "b" }}',
    '0 z true true',
  ],
  [
    '{{ ternary "a" "b" (eq 1 2) }}{{ trunc 2 "abc" }}{{ trimSuffix "-" "a-" }}{{ replace "+" "_" "1+2" }}',
    'baba1_2',
  ],
  ['{{ "a\\nb" | nindent 2 }}', '\n  a\n  b'],
  ['{{ b64enc "me" }} {{ sha256sum "me" | trunc 6 }} {{ contains "b" "abc" }}', 'bWU= 2744cc true'],
  ['{{ $m := dict "a" 1 }}{{ $_ := set $m "b" 2 }}{{ hasKey $m "b" }}{{ index $m "a" }}', 'true1'],
  [
    '{{ mergeOverwrite (dict "a" (dict "x" 1 "y" 2)) (dict "a" (dict "y" 3)) | toJson }}',
    '{"a":{"x":1,"y":3}}',
  ],
  ['{{ toYaml .Values.map }}{{ (toYaml .Values.map | fromYaml).a }}', 'a: two\nb: 1two'],
  ['{{ .Values.missing }}{{ .Values.none }}|', '|'],
  ['{{ list true nil | toJson }}{{ toString 5 }}{{ -3 }}', '[true,null]5-3'],
];

const REFUSED: readonly string[] = [
  '{{ if true }}',
  '{{ end }}',
  '{{ .Values.missing.field }}',
  '{{ $x }}',
  '{{ nosuch 1 }}',
  '{{ include "nosuch" . }}',
  '{{ fail "no" }}',
  '{{ required "no" .Values.missing }}',
  '{{ eq 1 "1" }}',
  '{{ .Values.name',
];

function render(template: string): string {
  const defined = new Map<string, readonly Node[]>();
  return new TemplateRunner(defined).run(parseTemplate(template, defined), ROOT);
}

t.test('templates', async (t) => {
  for (const [template, result] of CASES) t.equal(render(template), result, template);
});

t.test('what Go refuses is refused, and so is what would come out otherwise', async (t) => {
  for (const template of REFUSED) t.throws(() => render(template), template);
  // In Go 1e+06, and the words of Go for a map; the others are not needed.
  for (const template of [
    '{{ .Values.big }}',
    '{{ .Values.map }}',
    '{{ template "x" }}',
    '{{ upper "a" }}',
    '{{ 1 | }}',
  ])
    t.throws(() => render(template), template);
});

t.test('by Go', { skip: (await whyNoReference()) ?? false }, async (t) => {
  const go = new ReferenceRenderer();
  const directory = makeTemporaryDirectory('templates');
  t.teardown(() => {
    go.dispose();
    removeTemporaryDirectory(directory);
  });
  const write = (folder: string, templates: readonly string[]): string => {
    const path = join(directory, folder);
    mkdirSync(join(path, 'templates'), { recursive: true });
    for (const [index, text] of templates.entries())
      writeFileSync(join(path, 'templates', `${index}.yaml`), text);
    return path;
  };
  const rendered = go.render(
    write(
      'good',
      CASES.map(([template]) => template),
    ),
    ROOT,
  );
  for (const [index, [template, result]] of CASES.entries())
    t.equal(rendered.get(`${index}.yaml`), result, template);
  for (const [index, template] of REFUSED.entries())
    t.throws(() => go.render(write(`bad${index}`, [template]), ROOT), template);
});
