import type { Usage } from '../../store/store.ts'
import { NO_USAGE } from '../read-usage.ts'
import type { Rate, Rates } from './rates.ts'
import { UNITS, type Unit } from './units.ts'

/** Rates made ready for counting: one for each unit that has a price, the parts before their wholes. */
export type Charge = Pick<Unit, 'side' | 'count'> & {
  rate: Rate
  /** Earlier charges, by their index: what they count is taken out of this one. */
  parts: readonly number[]
}

export function chargesOf(rates: Rates): readonly Charge[] {
  const priced = UNITS.filter(({ name }) => rates[name] !== undefined)
  return priced.map(({ name, side, count }) => ({
    side,
    count,
    rate: rates[name]!,
    parts: priced.flatMap(({ wholes }, index) => (wholes.includes(name) ? [index] : [])),
  }))
}

/**
 * Nano-dollars, rounded once, half up. Every token is charged once, for the most special unit that has a price; parts that claim
 * more than the whole get no more than the whole. Null when the usage tells of something and nothing of it has a price.
 */
export function costOf(charges: readonly Charge[], usage: Usage): bigint | null {
  const amounts: number[] = []
  let inputLeft = usage.inputTokens
  let outputLeft = usage.outputTokens
  let femto = 0
  let isCharged = charges.length === 0
  for (const { side, count, rate, parts } of charges) {
    let amount = count(usage)
    for (const part of parts) amount -= amounts[part]!
    if (side === 'input') inputLeft -= amount = clamp(amount, inputLeft)
    else if (side === 'output') outputLeft -= amount = clamp(amount, outputLeft)
    else if (amount > 0 && rate.minimum !== undefined) amount = Math.max(amount, rate.minimum)
    amounts.push(amount)
    femto += amountTimesRate(amount, rateAt(rate, usage.inputTokens))
    isCharged ||= amount > 0
  }
  if (!isCharged && hasUsed(usage)) return null
  // Up to 9 USD every sum so far is exact.
  return Number.isSafeInteger(femto) ? roundToNano(femto) : roundBigToNano(sumBig(charges, amounts, usage.inputTokens))
}

/** Nano-dollars, rounded up: no usage within these token counts costs more, whatever parts it has. Searches and seconds come on top. */
export function highestOf(charges: readonly Charge[], inputTokens: number, outputTokens: number): bigint {
  let input = 0
  let output = 0
  let request = 0
  for (const { side, rate, count } of charges) {
    const highest = highestRate(rate, inputTokens)
    if (side === 'input') input = Math.max(input, highest)
    else if (side === 'output') output = Math.max(output, highest)
    else request += highest * count(NO_USAGE)
  }
  const femto =
    BigInt(Math.ceil(inputTokens)) * BigInt(input) + BigInt(Math.ceil(outputTokens)) * BigInt(output) + BigInt(request)
  return (femto + FEMTO_PER_NANO - 1n) / FEMTO_PER_NANO
}

const clamp = (amount: number, most: number) => Math.max(0, Math.min(amount, most))

const hasUsed = ({ inputTokens, outputTokens, details }: Usage) =>
  inputTokens > 0 || outputTokens > 0 || (details?.input_audio_seconds ?? 0) > 0

/** As genai-prices has it: strictly more input tokens than the tier's start, and then the tier's price for all of them. */
function rateAt({ base, tiers }: Rate, inputTokens: number): number {
  let rate = base
  for (const tier of tiers) if (inputTokens > tier.above) rate = tier.rate
  return rate
}

function highestRate({ base, tiers }: Rate, inputTokens: number): number {
  let highest = base
  for (const { above, rate } of tiers) if (inputTokens > above) highest = Math.max(highest, rate)
  return highest
}

/** Seconds come in fractions; all else is whole. */
const amountTimesRate = (amount: number, rate: number) =>
  Number.isInteger(amount) ? amount * rate : Math.round(amount * rate)

const FEMTO_PER_NANO = 1_000_000n

function roundToNano(femto: number): bigint {
  const rest = femto % 1e6
  return BigInt((femto - rest) / 1e6 + (rest >= 5e5 ? 1 : 0))
}

const roundBigToNano = (femto: bigint): bigint => (femto + FEMTO_PER_NANO / 2n) / FEMTO_PER_NANO

function sumBig(charges: readonly Charge[], amounts: readonly number[], inputTokens: number): bigint {
  let femto = 0n
  for (const [index, { rate }] of charges.entries()) {
    const amount = amounts[index]!
    const each = rateAt(rate, inputTokens)
    femto += Number.isInteger(amount) ? BigInt(amount) * BigInt(each) : BigInt(Math.round(amount * each))
  }
  return femto
}
