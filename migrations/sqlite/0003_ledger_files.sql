CREATE TABLE `ledger_applied` (
	`month` text PRIMARY KEY NOT NULL,
	`seq` integer NOT NULL
);
--> statement-breakpoint
DROP INDEX `requests_request_id_unique`;--> statement-breakpoint
DROP INDEX `requests_at`;--> statement-breakpoint
DROP INDEX `requests_token`;--> statement-breakpoint
DROP INDEX `requests_project`;--> statement-breakpoint
-- Its rows go to a file for each month when the store is opened next, batch by batch, and the table is dropped then (ledger/move.ts).
ALTER TABLE `requests` RENAME TO `old_requests`;
--> statement-breakpoint
-- Again, with the budgets that 0002 brought.
DROP TRIGGER `tokens_updated`;
--> statement-breakpoint
CREATE TRIGGER `tokens_updated` AFTER UPDATE OF `id`, `project_id`, `name`, `hash`, `last4`, `expires_at`, `max_requests`, `rate_limit`, `budgets`, `allowed_models`, `allowed_endpoints`, `allowed_ips`, `metadata`, `is_active`, `revoked_at`, `created_at`, `updated_at` ON `tokens` BEGIN UPDATE `revision` SET `value` = `value` + 1; END;
