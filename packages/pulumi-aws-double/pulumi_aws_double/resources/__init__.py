"""The resource types of the AWS double, one module per service or part of one."""
