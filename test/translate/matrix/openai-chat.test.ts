import { openaiChat } from './clients/openai-chat.ts'
import { describeClient } from './matrix.ts'

describeClient(openaiChat)
