import { vercelAnthropic, vercelChat, vercelResponses } from './clients/vercel.ts'
import { describeMatrix } from './matrix.ts'

describeMatrix([vercelChat, vercelResponses, vercelAnthropic])
