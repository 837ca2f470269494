/** Elements made from values. Texts are texts: nothing that a server or client has named is ever taken for markup. */

export type Child = Node | string | null;
type AttributeValue = string | number | boolean | null;
export interface Attributes {
  readonly class?: string | null;
  readonly on?: Readonly<Record<string, (event: Event) => void>>;
  readonly [name: string]: AttributeValue | undefined | Readonly<Record<string, (event: Event) => void>>;
}

export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'on') addListeners(element, attributes.on ?? {});
    else setAttribute(element, name, value as AttributeValue);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

function addListeners(element: Element, listeners: Readonly<Record<string, (event: Event) => void>>): void {
  for (const [type, listener] of Object.entries(listeners)) element.addEventListener(type, listener);
}

/** Absent where the value is null or false. */
export function setAttribute(element: Element, name: string, value: AttributeValue): void {
  const text = value === true ? '' : value === null || value === false ? null : String(value);
  if (text === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/** Touches the page only where the text is another one. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** A part of a whole, for a bar: 0 to 1. */
export function setPart(element: HTMLElement, part: number): void {
  element.style.setProperty('--part', String(Math.min(1, Math.max(0, part))));
}
