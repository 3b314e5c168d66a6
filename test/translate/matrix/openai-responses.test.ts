import { openaiResponses } from './clients/openai-responses.ts'
import { describeMatrix } from './matrix.ts'

describeMatrix([openaiResponses])
