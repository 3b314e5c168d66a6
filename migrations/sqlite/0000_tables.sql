CREATE TABLE `audit_log` (
	`seq` integer PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`at` integer NOT NULL,
	`actor` text NOT NULL,
	`ip` text,
	`user_agent` text,
	`action` text NOT NULL,
	`target_id` text,
	`project_id` text,
	`outcome` text NOT NULL,
	`reason` text,
	`before` text,
	`after` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `audit_log_id_unique` ON `audit_log` (`id`);--> statement-breakpoint
CREATE INDEX `audit_log_at` ON `audit_log` (`at`);--> statement-breakpoint
CREATE INDEX `audit_log_action` ON `audit_log` (`action`,`at`);--> statement-breakpoint
CREATE INDEX `audit_log_actor` ON `audit_log` (`actor`,`at`);--> statement-breakpoint
CREATE INDEX `audit_log_target` ON `audit_log` (`target_id`,`at`);--> statement-breakpoint
CREATE INDEX `audit_log_project` ON `audit_log` (`project_id`,`at`);--> statement-breakpoint
CREATE INDEX `audit_log_outcome` ON `audit_log` (`outcome`,`at`);--> statement-breakpoint
CREATE TABLE `projects` (
	`seq` integer PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`name` text NOT NULL,
	`is_active` integer NOT NULL,
	`allowed_models` text,
	`rate_limit` text,
	`metadata` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `projects_id_unique` ON `projects` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `projects_name_unique` ON `projects` (`name`);--> statement-breakpoint
CREATE INDEX `projects_created_at` ON `projects` (`created_at`);--> statement-breakpoint
CREATE TABLE `provider_keys` (
	`seq` integer PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`project_id` text NOT NULL,
	`provider` text NOT NULL,
	`sealed` text NOT NULL,
	`last4` text NOT NULL,
	`weight` real NOT NULL,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `provider_keys_id_unique` ON `provider_keys` (`id`);--> statement-breakpoint
CREATE INDEX `provider_keys_project` ON `provider_keys` (`project_id`,`created_at`);--> statement-breakpoint
CREATE TABLE `requests` (
	`seq` integer PRIMARY KEY NOT NULL,
	`request_id` text NOT NULL,
	`at` integer NOT NULL,
	`token_id` text,
	`project_id` text,
	`method` text NOT NULL,
	`endpoint` text NOT NULL,
	`model` text,
	`provider` text,
	`served_model` text,
	`attempts` text NOT NULL,
	`status` integer NOT NULL,
	`stream` integer NOT NULL,
	`latency_ms` real NOT NULL,
	`first_token_ms` real,
	`input_tokens` integer NOT NULL,
	`output_tokens` integer NOT NULL,
	`cached_tokens` integer NOT NULL,
	`reasoning_tokens` integer NOT NULL,
	`usage_source` text NOT NULL,
	`cost_nano_usd` integer,
	`cache` text NOT NULL,
	`error` text,
	`changes` text NOT NULL,
	`request_bytes` integer NOT NULL,
	`response_bytes` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `requests_request_id_unique` ON `requests` (`request_id`);--> statement-breakpoint
CREATE INDEX `requests_at` ON `requests` (`at`);--> statement-breakpoint
CREATE INDEX `requests_token` ON `requests` (`token_id`,`at`);--> statement-breakpoint
CREATE INDEX `requests_project` ON `requests` (`project_id`,`at`);--> statement-breakpoint
CREATE TABLE `revision` (
	`id` integer PRIMARY KEY NOT NULL,
	`value` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `tokens` (
	`seq` integer PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`project_id` text NOT NULL,
	`name` text,
	`hash` text NOT NULL,
	`last4` text NOT NULL,
	`expires_at` integer,
	`max_requests` integer,
	`rate_limit` text,
	`allowed_models` text,
	`allowed_endpoints` text,
	`allowed_ips` text,
	`metadata` text NOT NULL,
	`request_count` integer NOT NULL,
	`last_used_at` integer,
	`is_active` integer NOT NULL,
	`revoked_at` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `tokens_id_unique` ON `tokens` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `tokens_hash_unique` ON `tokens` (`hash`);--> statement-breakpoint
CREATE INDEX `tokens_created_at` ON `tokens` (`created_at`);--> statement-breakpoint
CREATE INDEX `tokens_project` ON `tokens` (`project_id`,`created_at`);