import { anthropic } from './clients/anthropic.ts'
import { describeMatrix } from './matrix.ts'

describeMatrix([anthropic])
