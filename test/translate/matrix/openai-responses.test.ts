import { openaiResponses } from './clients/openai-responses.ts'
import { describeClient } from './matrix.ts'

describeClient(openaiResponses)
