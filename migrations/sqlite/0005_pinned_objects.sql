CREATE TABLE `pinned_objects` (
	`seq` integer PRIMARY KEY NOT NULL,
	`object_id` text NOT NULL,
	`project_id` text NOT NULL,
	`provider` text NOT NULL,
	`key_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `pinned_objects_object` ON `pinned_objects` (`object_id`,`project_id`);--> statement-breakpoint
CREATE INDEX `pinned_objects_expires_at` ON `pinned_objects` (`expires_at`);