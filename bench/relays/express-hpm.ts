/* What the documentation of http-proxy-middleware shows, with connections that are kept and as many of them as are needed. */
import { Agent } from 'node:http'
import express from 'express'
import { createProxyMiddleware } from 'http-proxy-middleware'
import { serve } from './serve.ts'

const app = express()
app.use(createProxyMiddleware({ target: process.argv[2]!, changeOrigin: true, agent: new Agent({ keepAlive: true }) }))

serve(app)
