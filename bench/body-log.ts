import type { Workshop } from './processes.ts'
import { sideBySide } from './side-by-side.ts'

const KEEPS = { REQUEST_LOGGING: 'true', RESPONSE_LOGGING: 'true', BODY_LOG_DAYS: '1' }

/**
 * What keeping bodies costs. The thread that masks, compresses and writes is part of the process; how many were kept depends on what that
 * thread gets of the machine.
 */
export const benchBodies = (workshop: Workshop, quick: boolean) =>
  sideBySide(workshop, quick, { 'bodies off': () => ({}), 'bodies kept': () => KEEPS })
