import { workerData } from 'node:worker_threads'
import { registerSecret } from '../../../redact.ts'
import { serve } from '../thread.ts'
import { createBodyCalls } from './body-calls.ts'

export type BodyWorkerData = { folder: string; reserveBytes: number; secrets: string[] }

const { folder, reserveBytes, secrets } = workerData as BodyWorkerData
for (const secret of secrets) registerSecret(secret)
serve(createBodyCalls(folder, reserveBytes), folder)
