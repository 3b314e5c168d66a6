ALTER TABLE `projects` ADD `budgets` text;--> statement-breakpoint
ALTER TABLE `requests` ADD `cache_write_tokens` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `requests` ADD `usage_details` text;--> statement-breakpoint
ALTER TABLE `requests` ADD `estimate_reason` text;--> statement-breakpoint
ALTER TABLE `requests` ADD `price_source` text;--> statement-breakpoint
ALTER TABLE `requests` ADD `reserved_nano_usd` integer;--> statement-breakpoint
ALTER TABLE `tokens` ADD `budgets` text;