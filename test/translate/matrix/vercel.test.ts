import { vercelAnthropic, vercelChat, vercelResponses } from './clients/vercel.ts'
import { describeClient } from './matrix.ts'

describeClient(vercelChat)
describeClient(vercelResponses)
describeClient(vercelAnthropic)
