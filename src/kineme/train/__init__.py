"""The glue between models and Lightning. Nothing else imports lightning."""
