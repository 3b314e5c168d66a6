import { genai } from './clients/genai.ts'
import { describeMatrix } from './matrix.ts'

describeMatrix([genai])
