// What a bundler has to do: types, modules, newer syntax.
import * as program from './program.js'
import {Shape as Base} from './types.ts'

export enum Color { Red = 1, Green = Red << 2, Blue = 'x'.length }
export namespace Geometry { export const zero: Point<number> = {x: 0, y: 0} }
interface Point<T> { readonly x: T; readonly y: T }

export abstract class Shape {
  static #count = 0
  constructor(protected readonly at: Point<number>, private label?: string) { Shape.#count++ }
  get name(): string { return this.label ?? `shape ${Shape.#count}` }
  abstract area(): number
}

export class Circle extends Base {
  constructor(at: Point<number>, private r: number) { super(at) }
  area = () => Math.PI * this.r ** 2
}

function log<T extends (...a: any[]) => any>(f: T): T { return ((...a) => (console.log(...a), f(...a))) as T }

export async function* areas(shapes: AsyncIterable<Shape>, min?: {limit?: number}) {
  for await (const s of shapes) if (s.area() > (min?.limit ?? 0)) yield {name: s.name, area: s.area() as number}
}

const unused = 1 + 2
export const sum = log((...xs: number[]) => xs.reduce((a, b) => a + b, 0)), {x, ...rest} = {...Geometry.zero, program}
label: for (const a of [1, 2, 3]) { switch (a as 1 | 2 | 3) { case 1: continue label; default: break label } }
