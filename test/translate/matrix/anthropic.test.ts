import { anthropic } from './clients/anthropic.ts'
import { describeClient } from './matrix.ts'

describeClient(anthropic)
