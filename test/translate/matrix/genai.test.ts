import { genai } from './clients/genai.ts'
import { describeClient } from './matrix.ts'

describeClient(genai)
