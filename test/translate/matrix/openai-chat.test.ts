import { openaiChat } from './clients/openai-chat.ts'
import { describeMatrix } from './matrix.ts'

describeMatrix([openaiChat])
